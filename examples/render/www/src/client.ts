// The two clients that can carry vtk.js: the stock one from npm, and the one of this repository in its place.
import WSLinkClient, { type vtkWSLinkClient } from '@kitware/vtk.js/IO/Core/WSLinkClient';
import type { Session } from 'wslink-client';
import { SmartConnect as OurSmartConnect } from 'wslink-client/stock';
import StockSmartConnect from 'wslink/src/SmartConnect';

export type Kind = 'ours' | 'stock';

export interface Listener {
  connecting(): void;
  /** Also after each reconnect. */
  ready(session: Session): void;
  lost(reason: string): void;
}

/** How long the stock client, which does not reconnect, waits before it is replaced; in milliseconds. */
const PAUSE = 500;

/** Keeps a connection for as long as the page is open. */
export function keepConnected(kind: Kind, url: string, listener: Listener): void {
  WSLinkClient.setSmartConnectClass(kind === 'ours' ? OurSmartConnect : StockSmartConnect);
  const attempt = (): void => {
    listener.connecting();
    // What vtk.js's own image stream does is done by `remote-view.ts`, which can also take it down again.
    const client = WSLinkClient.newInstance({ createImageStream: false }) as vtkWSLinkClient;
    let isOver = false;
    const over = (reason: string): void => {
      listener.lost(reason);
      if (kind === 'ours' || isOver) return;
      isOver = true;
      setTimeout(attempt, PAUSE);
    };
    client.onConnectionReady(() => listener.ready(client.getConnection().getSession() as Session));
    client.onConnectionClose((connection: unknown) => over(reasonOf(connection)));
    client.onConnectionError((error: unknown) => over(reasonOf(error)));
    // The events above tell the same.
    client.connect({ sessionURL: url, ...(kind === 'ours' ? { reconnect: true } : {}) }).catch(() => {});
  };
  attempt();
}

function reasonOf(event: unknown): string {
  const { message, reason } = event as { message?: string; reason?: string };
  return message ?? reason ?? 'the server is away';
}
