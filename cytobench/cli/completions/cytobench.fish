# Completion of cytobench for fish: cytobench completion fish | source, in ~/.config/fish/config.fish.
function __cytobench_complete
    set -l found (cytobench completion fish --line (commandline -cp | string collect) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c cytobench -f -a '(__cytobench_complete)'
