/** Makes the tabs of a list switch, by pointer and by arrow keys. `#train` in the address opens that tab. */
export function startTabs(list: HTMLElement): void {
  const tabs = [...list.querySelectorAll<HTMLButtonElement>('[role=tab]')];
  const show = (chosen: HTMLButtonElement) => {
    for (const tab of tabs) {
      const panel = tab.getAttribute('aria-controls') as string;
      tab.setAttribute('aria-selected', String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      (document.getElementById(panel) as HTMLElement).hidden = tab !== chosen;
      if (tab === chosen) history.replaceState(null, '', `#${panel}`);
    }
  };
  for (const [i, tab] of tabs.entries()) {
    tab.onclick = () => show(tab);
    tab.onkeydown = ({ key }) => {
      const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
      if (step === 0) return;
      const next = tabs[(i + step + tabs.length) % tabs.length] as HTMLButtonElement;
      show(next);
      next.focus();
    };
  }
  const named = tabs.find((tab) => `#${tab.getAttribute('aria-controls')}` === location.hash);
  if (named) show(named);
}
