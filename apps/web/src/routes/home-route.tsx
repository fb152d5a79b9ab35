export function HomeRoute() {
  return <h1 className="text-display font-semibold">What should we build?</h1>;
}
