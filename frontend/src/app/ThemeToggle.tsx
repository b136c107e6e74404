import { Monitor, Moon, Sun } from "../components/Icon";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "../lib/theme";

const CHOICES: { choice: ThemeChoice; label: string; Icon: typeof Sun }[] = [
  { choice: "light", label: "Light", Icon: Sun },
  { choice: "system", label: "As the system", Icon: Monitor },
  { choice: "dark", label: "Dark", Icon: Moon },
];

export function ThemeToggle() {
  const current = useThemeChoice();
  return (
    <fieldset className="flex rounded-full border border-line p-0.5">
      <legend className="sr-only">Colour theme</legend>
      {CHOICES.map(({ choice, label, Icon }) => (
        <label
          key={choice}
          title={label}
          className="grid size-7 cursor-pointer place-items-center rounded-full text-muted hover:text-ink has-checked:bg-accent-wash has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name="theme"
            value={choice}
            checked={current === choice}
            onChange={() => chooseTheme(choice)}
            className="sr-only"
            aria-label={label}
          />
          <Icon aria-hidden="true" className="size-4" />
        </label>
      ))}
    </fieldset>
  );
}
