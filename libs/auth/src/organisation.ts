/** The one organisation of local mode. */
export const LOCAL_ORGANISATION_ID = '000000000000000000000local';
