/** Tabs of which one is shown. */
export interface Tabs {
  /** Shows a panel, by its id. */
  show(panel: string): void;
}

/** Makes the tabs of a list switch, by pointer and by arrow keys. `#train` in the address opens that tab. */
export function startTabs(list: HTMLElement): Tabs {
  const tabs = [...list.querySelectorAll<HTMLButtonElement>('[role=tab]')];
  const panelOf = (tab: HTMLButtonElement) => tab.getAttribute('aria-controls') as string;
  const show = (panel: string) => {
    if (!tabs.some((tab) => panelOf(tab) === panel)) return;
    for (const tab of tabs) {
      const isChosen = panelOf(tab) === panel;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      (document.getElementById(panelOf(tab)) as HTMLElement).hidden = !isChosen;
    }
    history.replaceState(null, '', `#${panel}`);
  };
  for (const [i, tab] of tabs.entries()) {
    tab.onclick = () => show(panelOf(tab));
    tab.onkeydown = ({ key }) => {
      const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
      if (step === 0) return;
      const next = tabs[(i + step + tabs.length) % tabs.length] as HTMLButtonElement;
      show(panelOf(next));
      next.focus();
    };
  }
  show(location.hash.slice(1));
  return { show };
}
