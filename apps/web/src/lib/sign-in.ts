import { callApi } from './api.js';
import { keepKey, readKey } from './key.js';

const CODE_IN_LINK = /^#code=([\w-]+)$/;

/** The one-time code of the link that was opened, if any. It leaves the address at once: neither history nor a copied link may hold it. */
export function takeCodeFromAddress(): string | null {
  const code = CODE_IN_LINK.exec(location.hash)?.[1] ?? null;
  if (code !== null) history.replaceState(history.state, '', location.pathname + location.search);
  return code;
}

/** A link that is opened where the dashboard is open already changes the address alone. @returns what ends it */
export function onCodeInAddress(listener: (code: string) => void): () => void {
  const take = (): void => {
    const code = takeCodeFromAddress();
    if (code !== null) listener(code);
  };
  window.addEventListener('hashchange', take);
  return () => window.removeEventListener('hashchange', take);
}

/** A link that was used already does no harm to a browser that is signed in. @throws ApiError `sign-in.code-invalid` */
export async function signInWithCode(code: string): Promise<void> {
  try {
    const { key } = await callApi<{ readonly key: string }>('POST', '/sign-in', { body: { code } });
    keepKey(key);
  } catch (error) {
    if (readKey() === null) throw error;
  }
}

/** Kept only when the platform takes it. @throws ApiError `auth.invalid` */
export async function signInWithToken(token: string): Promise<void> {
  await callApi('GET', '/agents', { key: token });
  keepKey(token);
}
