import { BackendPicker } from './src/page/backend-picker.ts';
import { button } from './src/page/elements.ts';
import { SampleTab } from './src/page/sample-tab.ts';
import { redrawAll } from './src/page/surface.ts';
import { startTabs } from './src/page/tabs.ts';
import { startTheme } from './src/page/theme.ts';
import { TrainTab } from './src/page/train-tab.ts';

const worker = (name: string) => new URL(`${name}.js`, import.meta.url);

startTheme(button('theme'), redrawAll);
const tabs = startTabs(document.querySelector('[role=tablist]') as HTMLElement);
const picker = new BackendPicker();
const sampleTab = new SampleTab(picker, worker('sample-worker'));
new TrainTab(picker, worker('train-worker'), (files) => {
  tabs.show('sample');
  for (const file of files) sampleTab.open({ file });
});
