import type { Candidates, CommandShape } from './command-shapes.js';

/** One function finds what may come next; how it is offered is each shell's own. */
export function bashScript(commands: readonly CommandShape[]): string {
  return `${finder(commands)}
_bullpen() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" word
  _bullpen_find "$cur" "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  COMPREPLY=($(compgen -W "$_bullpen_words" -- "$cur"))
  [ -n "$_bullpen_live" ] || return 0
  # Not by compgen, which runs what a word holds; and quoted, because what is offered becomes part of a command.
  while IFS=$'\\t' read -r word _; do
    printf -v word %q "$word"
    [[ "$word" != "$cur"* ]] || COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]/#\\~/$HOME}" complete "$_bullpen_live" 2>/dev/null)
}
complete -o default -F _bullpen bullpen ./bullpen
`;
}

export function zshScript(commands: readonly CommandShape[]): string {
  return `#compdef bullpen
${finder(commands)}
_bullpen() {
  local -a live names shown
  _bullpen_find "\${words[CURRENT]}" "\${(@)words[2,CURRENT-1]}"
  names=(\${=_bullpen_words})
  [[ -z "$_bullpen_live" ]] || live=("\${(@f)$("\${words[1]/#\\~/$HOME}" complete "$_bullpen_live" 2>/dev/null)}")
  live=(\${live:#})
  (( \${#names} + \${#live} )) || { _files; return }
  compadd -- $names
  shown=(\${live/$'\\t'/  })
  live=(\${live%%$'\\t'*})
  compadd -l -d shown -a live
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
if [[ "\${funcstack[1]}" == _bullpen ]]; then _bullpen "$@"; else compdef _bullpen bullpen; fi
`;
}

/** `_bullpen_find CURRENT BEFORE...` leaves candidates in _bullpen_words, and what is to be asked for in _bullpen_live. */
function finder(commands: readonly CommandShape[]): string {
  const options = new Map(commands.flatMap((command) => command.options).map((option) => [option.word, option]));
  const valued = [...options.values()].filter(({ value }) => value !== null);
  const nested = commands.map(({ path }) => path).filter((path) => path.includes(' '));
  return `_bullpen_find() {
  local cur="$1" command="" given=0 value="" word
  shift
  for word in "$@"; do
    if [ -n "$value" ]; then value=""; continue; fi
    case "$word" in
      ${valued.map(({ word }) => word).join('|')}) value="$word" ;;
      -*) ;;
      *)
        case "$command $word" in
          ' '*) command="$word" ;;
          ${nested.map((path) => `'${path}'`).join('|')}) command="$command $word" ;;
          *) given=$((given + 1)) ;;
        esac ;;
    esac
  done
  _bullpen_words="" _bullpen_live=""
  case "$value" in
${valued.filter(({ value }) => isCompleted(value)).map(({ word, value }) => `    ${word}) ${offer(value)}; return ;;`).join('\n')}
    ?*) return ;;
  esac
  case "$cur" in -*) given=options ;; esac
  case "$command:$given" in
${commands.flatMap(casesOf).join('\n')}
  esac
}`;
}

function isCompleted(candidates: Candidates | null): boolean {
  return candidates !== null && (candidates.live !== null || candidates.words.length > 0);
}

function casesOf({ path, first, options }: CommandShape): string[] {
  const words = `_bullpen_words="${options.map(({ word }) => word).join(' ')}"`;
  return [...(isCompleted(first) ? [`    '${path}:0') ${offer(first)} ;;`] : []), `    '${path}:options') ${words} ;;`];
}

function offer(candidates: Candidates | null): string {
  const words = `_bullpen_words="${(candidates?.words ?? []).map(({ word }) => word).join(' ')}"`;
  return candidates?.live ? `${words} _bullpen_live=${candidates.live}` : words;
}
