const key = 'evenkeel-theme';

/** Makes a button switch between light and dark; until it is used, the system's choice counts. */
export function startTheme(button: HTMLButtonElement, onChange: () => void): void {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const stored = remembered();
  if (stored === 'light' || stored === 'dark') root.dataset.theme = stored;
  const tell = () => {
    button.setAttribute('aria-label', isDark() ? 'Switch to light' : 'Switch to dark');
    onChange();
  };
  button.onclick = () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    remember(root.dataset.theme);
    tell();
  };
  system.onchange = tell;
  tell();
}

// Storage may be forbidden; then the choice lasts as long as the page.
function remembered(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(key, theme);
  } catch {}
}
