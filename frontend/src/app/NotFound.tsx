import { Link } from "@tanstack/react-router";
import { Blank } from "../components/states";
import { useTitle } from "../lib/title";

export function NotFound() {
  useTitle("Page not found");
  return (
    <div className="py-10">
      <h1 className="sr-only">Page not found</h1>
      <Blank title="There is no page at this address">
        <p>The address may have been mistyped, or the page may have moved.</p>
        <p>
          <Link to="/" className="font-medium text-accent underline underline-offset-4">
            Go to the hosts
          </Link>
        </p>
      </Blank>
    </div>
  );
}
