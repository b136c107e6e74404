import { Link } from "@tanstack/react-router";

export function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2 rounded-lg" aria-label="bwmon, all hosts">
      <svg viewBox="0 0 32 32" aria-hidden="true" className="size-7">
        <rect width="32" height="32" rx="8" className="fill-[#101a2b]" />
        <g fill="none" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round">
          <path d="M9.5 7v16M5.500 18.500l4 4.500 4-4.500" className="stroke-[#66a8ff]" />
          <path d="M22.500 25v-16M18.500 13.500l4-4.500 4 4.500" className="stroke-[#ff9a52]" />
        </g>
      </svg>
      <span className="text-lg font-bold tracking-tight max-[359px]:hidden">bwmon</span>
    </Link>
  );
}
