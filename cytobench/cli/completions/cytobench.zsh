#compdef cytobench
# Completion of cytobench for zsh: eval "$(cytobench completion zsh)" in ~/.zshrc.
_cytobench() {
    local line="${(j: :)words[1,CURRENT-1]} $PREFIX"
    local -a found
    found=(${(f)"$($words[1] completion zsh --line "$line" 2>/dev/null)"})
    if (( ! $#found )); then
        _files
        return
    fi
    compadd -S '' -- ${(M)found:#*[=.]}
    compadd -- ${found:#*[=.]}
}
if (( ! $+functions[compdef] )); then
    autoload -Uz compinit && compinit
fi
compdef _cytobench cytobench
