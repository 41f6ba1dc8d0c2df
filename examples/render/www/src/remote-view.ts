// vtk.js's own remote view in a container, over one connection.
import vtkImageStream from '@kitware/vtk.js/IO/Core/ImageStream';
import vtkRemoteView from '@kitware/vtk.js/Rendering/Misc/RemoteView';
import type { Session } from 'wslink-client';

export type Quality = 'sharp' | 'balanced' | 'fast';

export interface ShownView {
  /** Fits it to its container. */
  resize(): void;
  setQuality(quality: Quality): void;
  /** Takes it down once its connection is gone. */
  remove(): void;
}

/** JPEG quality and pixels for each of the page, while something moves. */
const INTERACTIVE: Record<Quality, [quality: number, ratio: number]> = {
  sharp: [85, 1],
  balanced: [70, 0.6],
  fast: [50, 0.35],
};

/** `moved` is called with each move of the mouse or wheel that goes to the server, `shown` with each new picture. */
export function showView(
  container: HTMLElement,
  session: Session,
  quality: Quality,
  heard: { moved(): void; shown(): void },
): ShownView {
  const images = vtkImageStream.newInstance();
  images.connect(session);
  const viewStream = images.createViewStream('-1');
  const view = vtkRemoteView.newInstance({ rpcWheelEvent: 'viewport.mouse.zoom.wheel', viewStream });
  view.setSession(session);
  view.setStillQuality(92);
  view.setStillRatio(Math.min(window.devicePixelRatio, 2));
  const setQuality = (to: Quality): void => {
    const [jpeg, ratio] = INTERACTIVE[to];
    view.setInteractiveQuality(jpeg);
    view.setInteractiveRatio(ratio * Math.min(window.devicePixelRatio, 1.5));
  };
  setQuality(quality);
  // Those that a server counts as moves: not letting go of a button or the wheel.
  view.getInteractorStyle().onRemoteMouseEvent(({ action }: { action: string }) => {
    if (action === 'down') heard.moved();
  });
  view.getInteractorStyle().onRemoteWheelEvent(({ spinY = 0 }: { spinY?: number }) => {
    if (spinY !== 0) heard.moved();
  });
  viewStream.onImageReady(heard.shown);
  view.setContainer(container);
  return {
    resize: () => view.resize(),
    setQuality,
    remove() {
      // With the connection the server has forgotten who observes; vtk.js would tell it all the same.
      images.getProtocol().unregisterView = async () => {};
      // Else vtk.js looks for a place for its background in the container that is none.
      view.getCanvasView().setUseBackgroundImage(false);
      view.setContainer(null as unknown as HTMLElement);
      view.delete();
      images.delete();
    },
  };
}
