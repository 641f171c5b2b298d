import { applyTheme, chosenTheme } from '../parts/theme';
import '../views/plan';
import '../views/problems';
import { keepOffline } from './offline';
import { Playground } from './playground';

applyTheme(chosenTheme());
new Playground();
keepOffline();
