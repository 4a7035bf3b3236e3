import { createRouter, createWebHistory } from 'vue-router';
import { routes } from 'vue-router/auto-routes';
import { useSession } from './session.ts';

/** Pages are the files of `pages/`; their meta says where they stand in the menu and who may open them. */
export function createConsoleRouter() {
  const router = createRouter({
    history: createWebHistory(),
    routes: [...routes, { path: '/:rest(.*)*', redirect: '/' }],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  });
  router.beforeEach(async (to) => {
    if (to.meta.open) return true;
    const session = useSession();
    await session.restore();
    if (!session.person) return { path: '/login', query: to.fullPath === '/' ? {} : { to: to.fullPath } };
    if (to.meta.permission && !session.may(to.meta.permission)) return { path: '/account' };
    return true;
  });
  return router;
}
