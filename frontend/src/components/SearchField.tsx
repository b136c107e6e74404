import { useEffect, useId, useState } from "react";
import { Search } from "./Icon";

interface SearchFieldProps {
  /** Says what is searched, to those who cannot see the placeholder. */
  label: string;
  placeholder: string;
  value: string;
  onValue: (value: string) => void;
  /** Small, for the head of a panel. */
  isSmall?: boolean;
  className: string;
}

/** A search field whose text is kept elsewhere, as in the address bar. */
export function SearchField({
  label,
  placeholder,
  value,
  onValue,
  isSmall = false,
  className,
}: SearchFieldProps) {
  const id = useId();
  // Typing must not wait for the address bar; the address bar may also change by itself.
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const [icon, field] = isSmall ? ["left-2.5", "py-1.5 pr-2 pl-8"] : ["left-3", "py-2 pr-3 pl-9"];
  return (
    <div className={`relative ${className}`}>
      <Search aria-hidden="true" className={`absolute top-1/2 ${icon} size-4 -translate-y-1/2 text-muted`} />
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <input
        id={id}
        type="search"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          onValue(event.target.value);
        }}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        className={`w-full rounded-lg border border-line-strong bg-surface ${field} text-sm placeholder:text-muted`}
      />
    </div>
  );
}
