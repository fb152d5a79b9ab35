import { useEffect, useRef, useState } from 'react';
import type { SubmitEvent } from 'react';

import { Button } from '../components/button.js';
import { explain } from '../components/states.js';
import { TextField } from '../components/text-field.js';
import { signInWithCode, signInWithToken } from '../lib/sign-in.js';

interface SignInRouteProps {
  /** Of the link that was opened. */
  readonly code: string | null;
  readonly onSignedIn: () => void;
}

/** By the link that `make up` prints, or by the token. */
export function SignInRoute({ code, onSignedIn }: SignInRouteProps) {
  const { isPending, error, signIn } = useSignIn(onSignedIn);
  const usedCode = useRef<string | null>(null);
  useEffect(() => {
    // A code works once, and effects may run twice.
    if (code === null || usedCode.current === code) return;
    usedCode.current = code;
    void signIn(() => signInWithCode(code));
  }, [code, signIn]);
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="flex w-full max-w-[400px] flex-col gap-4 rounded-md border border-border bg-surface p-6">
        <h1 className="text-title font-semibold">Sign in to Bullpen</h1>
        <p className="text-muted">
          Open the link that <code className="text-text">make up</code> printed. For another one, run <code className="text-text">./bullpen open</code> in
          the checkout.
        </p>
        {error === null ? null : (
          <p role="alert" className="rounded-sm bg-raised p-3 text-error">
            {explain(error)}
          </p>
        )}
        <TokenForm isPending={isPending} onSubmit={(token) => void signIn(() => signInWithToken(token))} />
      </div>
    </main>
  );
}

function TokenForm({ isPending, onSubmit }: { readonly isPending: boolean; readonly onSubmit: (token: string) => void }) {
  const [token, setToken] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (token.trim() !== '' && !isPending) onSubmit(token.trim());
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2">
      <label htmlFor="token" className="font-medium">
        Or paste the token
      </label>
      <TextField
        id="token"
        type="password"
        autoComplete="off"
        value={token}
        aria-describedby="token-hint"
        onChange={(event) => setToken(event.target.value)}
      />
      <p id="token-hint" className="text-label text-muted">
        It stands in <code>.bullpen/token</code> of the checkout, and stays in this browser.
      </p>
      <Button kind="primary" type="submit" aria-disabled={isPending || token.trim() === ''} className="mt-2">
        {isPending ? 'Signing in…' : 'Sign in'}
      </Button>
    </form>
  );
}

function useSignIn(onSignedIn: () => void) {
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const signedIn = useRef(onSignedIn);
  useEffect(() => {
    signedIn.current = onSignedIn;
  }, [onSignedIn]);
  const [signIn] = useState(() => async (work: () => Promise<void>): Promise<void> => {
    setPending(true);
    setError(null);
    try {
      await work();
      signedIn.current();
    } catch (reason) {
      setError(reason);
    } finally {
      setPending(false);
    }
  });
  return { isPending, error, signIn };
}
