# Completion of cytobench for bash: eval "$(cytobench completion bash)" in ~/.bashrc.
_cytobench() {
    local line="${COMP_LINE:0:COMP_POINT}" before="" word
    local current="${line##*[[:space:]]}"
    # Readline replaces only what follows the last of COMP_WORDBREAKS, "=" among them.
    if [[ $COMP_WORDBREAKS == *=* && $current == *=* ]]; then
        before="${current%=*}="
    fi
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("${word#"$before"}")
    done < <("$1" completion bash --line "$line" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]]; then
        compopt -o nospace
    fi
}
complete -o bashdefault -o default -F _cytobench cytobench
