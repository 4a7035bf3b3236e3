/// <reference types="vite/client" />
/// <reference types="vue-router/auto-routes" />
import 'vue-router';
import type { Permission } from '@smart-fire/core';

declare module 'vue-router' {
  interface RouteMeta {
    /** Shown without a session. */
    open?: boolean;
    /** Place in the menu, lowest first; absent = not in the menu. */
    menu?: number;
    /** Key under `menu.` of the page's name. */
    label?: string;
    /** Who may open the page. */
    permission?: Permission;
  }
}
