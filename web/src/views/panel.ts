// The base of what looks at a session.
import type { PropertyDeclarations } from 'lit';
import { View } from '../parts/view';
import type { PlanSession } from './session';

export abstract class Panel extends View {
  static override properties: PropertyDeclarations = { session: { attribute: false } };
  declare session: PlanSession;
}
