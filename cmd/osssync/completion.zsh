#compdef osssync
compdef _osssync osssync

# zsh completion for osssync: the program is asked what the word can become, and
# zsh writes that within the quotes that are open.
_osssync() {
    local line flags=0 front= tab=$'\t'
    local -a names shown how args match
    local -i longest=0 i
    for line in "${(@Q)words[2,CURRENT-1]}"; do
        if [[ $line =~ '^\$\{?([A-Za-z_][A-Za-z_0-9]*)\}?(.*)$' ]]; then # --local $DIR
            line=${(P)match[1]}$match[2]
        elif [[ $line == \~/* ]]; then
            line=$HOME${line#\~}
        fi
        args+=("$line")
    done
    local word=${PREFIX}
    [[ -z $QIPREFIX ]] && word=${(Q)PREFIX}
    if [[ $word == -*=* ]]; then
        front=${word%%=*}=
        compset -P '-*='
    fi
    local program=${(Q)words[1]}
    [[ $program == \~/* ]] && program=$HOME${program#\~}
    while IFS= read -r line; do
        if [[ $line == :<-> ]]; then
            flags=${line#:}
        elif [[ -n $line && $front${line%%$tab*} == "$word"* ]]; then
            names+=("${line%%$tab*}")
            shown+=("$line")
            (( ${#names[-1]} > longest )) && longest=${#names[-1]}
        fi
    done < <("$program" __complete "${args[@]}" "$word" 2>/dev/null)
    if (( ${#names} == 0 )); then
        (( flags & 4 )) || _files
        return
    fi
    (( flags & 2 )) && how=(-S '')
    for (( i = 1; i <= ${#shown}; i++ )); do
        [[ $shown[i] == *$tab* ]] || continue
        how+=(-l) # one a line
        shown[i]="${(r:longest:)names[i]}  -- ${shown[i]#*$tab}"
    done
    compadd "${how[@]}" -d shown -a names
}

# Of a file below fpath this is the function itself; read by source it is not.
[[ $funcstack[1] == _osssync ]] && _osssync
