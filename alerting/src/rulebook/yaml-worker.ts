/** Reads the one text it is started with, tells what it found, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { stepBehindMain } from '@smart-fire/core/node';
import { readRules } from './yaml-read.ts';

stepBehindMain();
parentPort?.postMessage(readRules(workerData as string));
