// Gives older versions of node the global that browsers have.
import { WebSocket } from 'ws';

globalThis.WebSocket ??= WebSocket;
