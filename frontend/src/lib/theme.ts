/** Light, dark, or as the system prefers. `app/theme-boot.js` applies the same choice before the first paint. */

import { useSyncExternalStore } from "react";

export type ThemeChoice = "system" | "light" | "dark";
export type Theme = "light" | "dark";

const KEY = "bwmon.theme";
const listeners = new Set<() => void>();

export function chooseTheme(choice: ThemeChoice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Storage may be blocked: the choice then lasts until the page is closed.
  }
  apply(choice);
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, () => current);
}

/** The theme on screen. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () =>
    document.documentElement.dataset.theme === "dark" ? "dark" : "light",
  );
}

/** Applies the remembered choice and follows the system from then on. */
export function startTheme(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(current));
  apply(current);
}

function remembered(): ThemeChoice {
  try {
    const choice = localStorage.getItem(KEY);
    return choice === "light" || choice === "dark" ? choice : "system";
  } catch {
    return "system";
  }
}

let current: ThemeChoice = remembered();

function apply(choice: ThemeChoice): void {
  current = choice;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme =
    choice === "dark" || (choice === "system" && systemIsDark) ? "dark" : "light";
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
