import { journalContract } from '../../testing/journal.contract.ts';
import { openJournal } from './open.ts';

journalContract('sqlite', (options) => openJournal('sqlite:journal.db', options));
