/** Places of the server that pages link to. */
export const PATHS = {
  apiPages: '/api/docs/',
  openApi: '/api/v1/openapi.json',
} as const;
