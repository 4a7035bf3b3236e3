export { createIngest, type Ingest, type IngestDeps } from './ingest.ts';
