/** Hands a text to the person as a file; its name. */
export function download(text: string, ending = 'package'): string {
  const name = `scilit-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}.${ending}`;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}
