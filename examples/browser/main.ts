import { BackendPicker } from './src/page/backend-picker.ts';
import { block, button } from './src/page/elements.ts';
import { SampleTab } from './src/page/sample-tab.ts';
import { startTabs } from './src/page/tabs.ts';
import { startTheme } from './src/page/theme.ts';

const worker = (name: string) => new URL(`${name}.js`, import.meta.url);

startTheme(button('theme'), () => {});
startTabs(document.querySelector('[role=tablist]') as HTMLElement);
const picker = new BackendPicker();
new SampleTab(picker, worker('sample-worker'));
block('train').textContent = '';
