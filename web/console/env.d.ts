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

/** Element Plus components are imported one by one when the build meets their tag; these are the ones in use. */
declare module 'vue' {
  interface GlobalComponents {
    ElButton: typeof import('element-plus').ElButton;
    ElConfigProvider: typeof import('element-plus').ElConfigProvider;
    ElDatePicker: typeof import('element-plus').ElDatePicker;
    ElDialog: typeof import('element-plus').ElDialog;
    ElDrawer: typeof import('element-plus').ElDrawer;
    ElForm: typeof import('element-plus').ElForm;
    ElFormItem: typeof import('element-plus').ElFormItem;
    ElInput: typeof import('element-plus').ElInput;
    ElOption: typeof import('element-plus').ElOption;
    ElSelect: typeof import('element-plus').ElSelect;
    ElSwitch: typeof import('element-plus').ElSwitch;
    ElTree: typeof import('element-plus').ElTree;
    ElTreeSelect: typeof import('element-plus').ElTreeSelect;
  }
}
