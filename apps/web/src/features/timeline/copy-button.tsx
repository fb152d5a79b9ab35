import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';

import { IconButton } from '../../components/icon-button.js';

const DONE_MS = 1_500;

export function CopyButton({ label, text, className }: { readonly label: string; readonly text: string; readonly className?: string }) {
  const [isDone, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), DONE_MS);
    } catch {
      toast.error('Not copied', { description: 'This browser does not let the page write to the clipboard. Select the text and copy it.' });
    }
  };
  return (
    <IconButton label={isDone ? 'Copied' : label} className={className ?? ''} onClick={() => void copy()}>
      {isDone ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
    </IconButton>
  );
}
