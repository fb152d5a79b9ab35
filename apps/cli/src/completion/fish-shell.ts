import type { Candidates, CommandShape, OptionShape } from './command-shapes.js';

export function fishScript(commands: readonly CommandShape[]): string {
  const valued = commands.flatMap(({ options }) => options).filter(({ value }) => value !== null);
  const nested = commands.map(({ path }) => path).filter((path) => path.includes(' '));
  return `function __bullpen_at
    set -l command
    set -l given 0
    set -l value 0
    for word in (commandline -opc)[2..-1]
        if test $value = 1
            set value 0
            continue
        end
        switch $word
            case ${[...new Set(valued.map(({ word }) => word))].join(' ')}
                set value 1
            case '-*'
            case '*'
                if test -z "$command"
                    set command $word
                else if contains -- "$command $word" ${nested.map(quote).join(' ')}
                    set command "$command $word"
                else
                    set given (math $given + 1)
                end
        end
    end
    string match -q -- "$argv[1]" "$command:$given"
end
function __bullpen_live
    set -l bullpen (commandline -opc)[1]
    $bullpen complete $argv[1] 2>/dev/null
end
complete -c bullpen -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, first, options }: CommandShape): string[] {
  const at = (given: string): string => `complete -c bullpen -n "__bullpen_at '${path}:${given}'"`;
  const words = first.words.map(({ word, description }) => `${at('0')} -a ${word}${described(description)}`);
  const live = first.live === null ? [] : [`${at('0')} -a ${asked(first.live)}`];
  return [...words, ...live, ...options.map((option) => `${at('*')} ${optionText(option)}`)];
}

function optionText({ word, description, value }: OptionShape): string {
  const name = `-l ${word.slice(2)}${described(description)}`;
  if (value === null) return name;
  // A repository may also be a path.
  if (value.live !== null) return `${name} -r -F -a ${asked(value.live)}`;
  return value.words.length === 0 ? `${name} -x` : `${name} -x -a ${quote(value.words.map(({ word: each }) => each).join(' '))}`;
}

function asked(live: NonNullable<Candidates['live']>): string {
  return `'(__bullpen_live ${live})'`;
}

function described(description: string): string {
  return description === '' ? '' : ` -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
