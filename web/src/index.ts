export { createPerson, type NewPerson } from './create-person.ts';
export { type Provision, type ProvisionedDevice, provision } from './provision.ts';
export type { WebDeps } from './server/deps.ts';
export { createWeb, type Web } from './web.ts';
