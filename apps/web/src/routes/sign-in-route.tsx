export function SignInRoute({ onSignedIn }: { readonly onSignedIn: () => void }) {
  return (
    <main className="grid h-dvh place-items-center p-6">
      <button onClick={onSignedIn}>Sign in</button>
    </main>
  );
}
