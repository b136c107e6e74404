import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { DashboardPage } from "../features/dashboard/DashboardPage";
import { parseDashboardSearch } from "../features/dashboard/selection";
import { parseHostSearch } from "../lib/host-search";
import { NotFound } from "./NotFound";
import { RouteFailure } from "./RouteFailure";
import { Shell } from "./Shell";

const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: RouteFailure,
});

const dashboardRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: parseDashboardSearch,
  component: DashboardPage,
});

const hostRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/hosts/$id",
  validateSearch: parseHostSearch,
  component: lazyRouteComponent(() => import("../features/host/HostPage"), "HostPage"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([dashboardRoute, hostRoute]),
  defaultErrorComponent: RouteFailure,
  scrollRestoration: true,
  // Plain parameters: `?q=10` is text, not JSON.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const parameters = new URLSearchParams();
    for (const [key, value] of Object.entries(search)) {
      if (value !== undefined && value !== "") parameters.set(key, String(value));
    }
    const text = parameters.toString();
    return text === "" ? "" : `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
