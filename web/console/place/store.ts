import { type Area, placeOf, type Scope, type ScopeLevel, type Site, type Zone } from '@smart-fire/core';
import { getSensorKind } from '@smart-fire/core/sensors';
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import { useApi } from '../api/index.ts';
import { useWords } from '../ui/words.ts';
import { pathName } from './tree.ts';

/** Areas, sites and zones in the person's sight, for choosing them and for calling them by name. */
export const usePlaces = defineStore('places', () => {
  const api = useApi();
  const areas = shallowRef<Area[]>([]);
  const sites = shallowRef<Site[]>([]);
  const zones = shallowRef<Zone[]>([]);
  const problem = ref('');

  return {
    areas,
    sites,
    zones,
    problem,
    async load() {
      try {
        const all = await Promise.all([api.areas.all(), api.sites.all(), api.zones.all()]);
        [areas.value, sites.value, zones.value] = all;
        problem.value = '';
      } catch (error) {
        problem.value = (error as Error).message;
      }
    },
  };
});

/** Scopes and places in words. */
export function usePlaceWords() {
  const { t, said } = useWords();
  const places = usePlaces();

  function placeName(level: ScopeLevel, id: string): string {
    if (level === 'device') return id;
    if (level === 'zone') {
      const zone = places.zones.find((one) => one.id === id);
      const site = places.sites.find((one) => one.id === zone?.site);
      return zone ? [site?.name, zone.name].filter(Boolean).join(' · ') : id;
    }
    const place = (level === 'site' ? places.sites : places.areas).find((one) => one.id === id);
    return place ? pathName(place.path, places.areas, places.sites, '') : id;
  }
  const kindName = (kind: string) => {
    const known = getSensorKind(kind);
    return known ? said(known) : kind;
  };
  return {
    kindName,
    placeName,
    /** `水压监测 · 句容市 / 华阳街道`, or that it is everything. */
    scopeName(scope: Scope): string {
      const place = placeOf(scope);
      const kinds = (scope.kinds ?? []).map(kindName).join(t('scope.and'));
      return (
        [kinds, place && `${t(`scope.level.${place.level}`)} ${placeName(place.level, place.id)}`]
          .filter(Boolean)
          .join(' · ') || t('scope.everything')
      );
    },
  };
}
