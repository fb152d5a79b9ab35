// Before the first paint: a page that turns dark after it was shown would flash.
(() => {
  let choice = 'system';
  try {
    choice = localStorage.getItem('bullpen.theme') ?? 'system';
  } catch {
    // Storage may be switched off; the system's theme it is.
  }
  const dark = choice === 'dark' || (choice === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
