import { applyTheme, chosenTheme } from '../parts/theme';
import '../views/plan';
import '../views/problems';
import { keepOffline } from './offline';
import { Playground } from './playground';

applyTheme(chosenTheme());
void new Playground().loaded.then(keepOffline);
