/** Places of the server that pages link to. */
export const PATHS = {
  apiPages: '/api/docs/',
  openApi: '/api/openapi.json',
  questionnaires: '/api/v1/questionnaires',
} as const;
