import { Link, Outlet, useParams } from "@tanstack/react-router";
import { LogOut, Server } from "../components/Icon";
import { useHealth, useLiveUpdates, useSession, useTokenNeeded } from "../lib/queries";
import { Brand } from "./Brand";
import { ConnectionState } from "./ConnectionState";
import { LoginForm } from "./LoginForm";
import { ThemeToggle } from "./ThemeToggle";

export function Shell() {
  const { id } = useParams({ strict: false });
  const tokenNeeded = useTokenNeeded();
  useLiveUpdates(id ?? null);
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        className="sr-only z-50 rounded-lg bg-accent px-4 py-2 font-medium text-accent-ink focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <Header signedOut={tokenNeeded} />
      <main
        id="main"
        tabIndex={-1}
        className="mx-auto w-full max-w-[100rem] flex-1 px-4 py-5 outline-none sm:px-6"
      >
        {tokenNeeded ? <LoginForm /> : <Outlet />}
      </main>
      <Footer />
    </div>
  );
}

function Header({ signedOut }: { signedOut: boolean }) {
  const { data: health } = useHealth();
  const { signOut } = useSession();
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-surface">
      <div className="mx-auto flex h-14 max-w-[100rem] items-center gap-3 px-4 sm:gap-5 sm:px-6">
        <Brand />
        <nav aria-label="Main" className="min-w-0">
          <Link
            to="/"
            activeOptions={{ exact: true, includeSearch: false }}
            activeProps={{ className: "bg-accent-wash text-accent", "aria-current": "page" }}
            inactiveProps={{ className: "text-muted hover:bg-sunken hover:text-ink" }}
            className="inline-flex items-center gap-2 rounded-lg px-2.5 py-1.5 text-sm font-medium"
          >
            <Server aria-hidden="true" className="size-4" />
            Hosts
          </Link>
        </nav>
        <div className="ml-auto flex min-w-0 items-center gap-2 sm:gap-3">
          {!signedOut && <ConnectionState />}
          <ThemeToggle />
          {health?.auth_required && !signedOut && (
            <button
              type="button"
              onClick={() => void signOut()}
              className="rounded-lg p-2 text-muted hover:bg-sunken hover:text-ink"
              aria-label="Sign out"
            >
              <LogOut aria-hidden="true" className="size-4" />
            </button>
          )}
        </div>
      </div>
    </header>
  );
}

function Footer() {
  const { data: health } = useHealth();
  return (
    <footer className="mx-auto flex w-full max-w-[100rem] flex-wrap items-center gap-x-4 gap-y-1 px-4 pt-2 pb-6 text-xs text-muted sm:px-6">
      <span>bwmon {health?.version ?? ""}</span>
      <span>Rates are in SI bits per second, sizes in SI bytes.</span>
      <a href="/plain" className="underline underline-offset-4 hover:text-ink">
        Table without scripts
      </a>
      <a href="/api/v1/openapi.json" className="underline underline-offset-4 hover:text-ink">
        API
      </a>
    </footer>
  );
}
