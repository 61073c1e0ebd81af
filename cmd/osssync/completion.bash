# bash completion for osssync. It needs nothing but bash.
#
# The words are read from the line itself: bash has cut those of COMP_WORDS at
# colons. What readline puts in begins behind the last of COMP_WORDBREAKS or at
# the quote that is open, and so does what is given to it.

# __osssync_split reads the line in $1 into words, without quotes; the last is
# the one to complete. quote is the quote that is open in it, kept the number of
# its characters that stay as they are. Nothing in the line is run.
__osssync_split() {
    local line=$1 c i word= begun=
    words=() quote= kept=0
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1}
        case ${quote:-n}$c in
        "''" | '""')
            quote= kept=${#word}
            ;;
        '"\')
            case ${line:i+1:1} in
            [\"\\\$\`]) i=$((i + 1)) word+=${line:i:1} ;;
            *) word+=$c ;;
            esac
            ;;
        \'? | \"?)
            word+=$c
            ;;
        n\\)
            i=$((i + 1)) word+=${line:i:1} begun=1
            ;;
        n\' | n\")
            quote=$c kept=${#word} begun=1
            ;;
        n[[:space:]] | n[\<\>\|\;\&\(\)])
            [[ $begun ]] && words+=("$word")
            word= begun= kept=0
            ;;
        *)
            word+=$c begun=1
            [[ $COMP_WORDBREAKS == *"$c"* ]] && kept=${#word}
            ;;
        esac
    done
    words+=("$word")
}

# __osssync_expand sets word to $1 with the variable or the home folder that it
# begins with, as in --local $DIR.
__osssync_expand() {
    word=$1
    if [[ $1 =~ ^\$\{?([A-Za-z_][A-Za-z_0-9]*)\}?(.*)$ ]]; then
        word=${!BASH_REMATCH[1]}${BASH_REMATCH[2]}
    elif [[ $1 == \~ || $1 == \~/* ]]; then
        word=$HOME${1:1}
    fi
}

# __osssync_ask asks the program for what $1 can become: names with their
# descriptions, if any, and in flags the sum of 2 (no blank after it) and 4 (no
# files).
__osssync_ask() {
    local cur=$1 front= line word tab=$'\t' args=() i
    for ((i = 0; i < ${#words[@]} - 1; i++)); do
        __osssync_expand "${words[i]}"
        args+=("$word")
    done
    [[ $cur == -*=* ]] && front=${cur%%=*}=
    names=() descriptions=() flags=0
    while IFS= read -r line; do
        if [[ $line =~ ^:[0-9]+$ ]]; then
            flags=${line:1}
        elif [[ $front${line%%"$tab"*} == "$cur"* && $line ]]; then
            names+=("$front${line%%"$tab"*}")
            [[ $line == *"$tab"* ]] && descriptions+=("${line#*"$tab"}") || descriptions+=("")
        fi
    done < <("${args[0]}" __complete "${args[@]:1}" "$cur" 2>/dev/null)
}

# __osssync_quote sets word to $1 as it is written within the quote that is open.
__osssync_quote() {
    local c i
    word=
    for ((i = 0; i < ${#1}; i++)); do
        c=${1:i:1}
        case ${quote:-n}$c in
        "''") c="'\\''" ;;
        '""' | '"$' | '"`' | '"\') c=\\$c ;;
        n[[:space:]\!\"\#\$\&\'\(\)\*\;\<\>\?\[\\\]\^\`\{\|\}\~]) c=\\$c ;;
        esac
        word+=$c
    done
}

__osssync_complete() {
    local words quote kept names descriptions flags word longest=0 i
    COMPREPLY=()
    __osssync_split "${COMP_LINE:0:COMP_POINT}"
    __osssync_ask "${words[${#words[@]} - 1]}"

    # readline closes the quote of the only name there is: of a folder, go on to
    # what is in it.
    for i in 1 2 3 4; do
        [[ $quote && ${#names[@]} == 1 && ${names[0]} == */ ]] || break
        local only=${names[0]} was=$flags
        __osssync_ask "$only"
        [[ ${#names[@]} == 0 ]] && names=("$only") descriptions=("") flags=$was && break
    done

    if ((flags & 2)); then compopt -o nospace 2>/dev/null; fi
    if ((flags & 4)); then compopt +o default +o bashdefault 2>/dev/null; fi
    for ((i = 0; i < ${#names[@]}; i++)); do
        __osssync_quote "${names[i]:kept}"
        COMPREPLY+=("$word")
        ((${#word} > longest)) && longest=${#word}
    done

    # 37 and 42: readline is going through the names, and puts each of them in.
    ((${#names[@]} < 2 || COMP_TYPE == 37 || COMP_TYPE == 42)) && return
    for ((i = 0; i < ${#names[@]}; i++)); do
        [[ ${descriptions[i]} ]] || continue
        printf -v word '%-*s  (%s)' "$longest" "${COMPREPLY[i]}" "${descriptions[i]}"
        ((${#word} > COLUMNS - 1 && COLUMNS > longest + 10)) && word=${word:0:COLUMNS-2}…
        COMPREPLY[i]=$word
    done
}

if [[ $(type -t compopt) == builtin ]]; then
    complete -o bashdefault -o default -F __osssync_complete osssync
else
    complete -o bashdefault -o default -o nospace -F __osssync_complete osssync
fi
