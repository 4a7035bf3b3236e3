// Aedes as it comes: acknowledges first, stores nothing. What our durable path is measured against.
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const broker = await Aedes.createBroker();
const server = createServer(broker.handle);
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as { port: number }).port}`));
