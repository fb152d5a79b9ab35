import { Link } from '@tanstack/react-router';

export function NotFoundRoute() {
  return (
    <div className="m-auto max-w-[420px] p-6 text-center">
      <h1 className="text-title font-semibold">There is nothing here</h1>
      <p className="mt-2 text-muted">This address leads to no page. Check it, or start over.</p>
      <Link to="/" className="mt-4 inline-block text-accent underline">
        All sessions
      </Link>
    </div>
  );
}
