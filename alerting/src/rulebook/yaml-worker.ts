/** Reads the one text it is started with, tells what it found, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { readRules } from './yaml-read.ts';

parentPort?.postMessage(readRules(workerData as string));
