#!/bin/sh
# Commits what changed under thoughts/, merges what others have pushed, and pushes.
#
# - Only thoughts/ is committed. What is changed or staged elsewhere stays as it is.
# - It goes by the branch that is checked out and that branch's upstream.
# - It merges and does not rebase: a merge leaves files alone that are being worked on elsewhere,
#   and one that fails is taken back whole.
# - The message reaches git in a file, so that nothing in it is taken for an option or a command.
# - sync-thoughts.ps1 does the same with the same git commands. Change one and you change both.
set -eu

usage() {
    cat <<'END'
Usage: sync-thoughts.sh [-m MESSAGE] [--no-push | --dry-run]

Commits what changed under thoughts/, merges what others have pushed, and pushes.

  -m, --message MESSAGE  What the commit says.
  --no-push              Commit only, without asking the remote.
  -n, --dry-run          Say what would be done, and do nothing.
  -h, --help             Show this.

Without -m it asks for the message in a terminal, and takes the date elsewhere.

Exit codes: 0 done or nothing to do, 1 something is in the way, 2 wrong usage,
3 others changed the same lines.
END
}

say() {
    printf '%s\n' "$@"
}

stop() {
    code=$1
    shift
    printf '%s\n' "$@" >&2
    exit "$code"
}

misused() {
    stop 2 "$1" 'To see how it is used: sync-thoughts.sh --help'
}

message=
has_message=
push=yes
dry_run=
while [ $# -gt 0 ]; do
    case $1 in
        -m | --message)
            [ $# -gt 1 ] || misused "$1 needs a message."
            message=$2
            has_message=yes
            shift
            ;;
        --message=*)
            message=${1#--message=}
            has_message=yes
            ;;
        --no-push) push= ;;
        -n | --dry-run) dry_run=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) misused "Not understood: $1" ;;
    esac
    shift
done
if [ -n "$has_message" ]; then
    case $message in
        *[![:space:]]*) ;;
        *) misused 'The message is empty.' ;;
    esac
fi

has_terminal=
if [ -t 0 ] && [ -t 1 ]; then
    has_terminal=yes
else
    # Nobody is there to answer; git is to fail and not to wait.
    export GIT_TERMINAL_PROMPT=0
fi

# Where a git hook starts this script, these point at what the hook is about.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
CDPATH='' cd -- "$(dirname -- "$0")"

command -v git >/dev/null || stop 1 'There is no git here. Install it, and try again.'
[ -d thoughts ] || stop 1 'There is no folder thoughts beside this script.'
git_folder=$(git rev-parse --absolute-git-dir) ||
    stop 1 'This is not a git repository. To make it one: git init'
branch=$(git symbolic-ref --quiet --short HEAD) ||
    stop 1 'No branch is checked out, so nothing was done. To go to one: git switch main'
for unfinished in MERGE_HEAD CHERRY_PICK_HEAD REVERT_HEAD rebase-merge rebase-apply; do
    [ ! -e "$git_folder/$unfinished" ] ||
        stop 1 'A merge or rebase is not finished here. git status says how to go on or give up.' \
            'Then run this again.'
done

remote=$(git config --get "branch.$branch.remote" || :)
ref=$(git config --get "branch.$branch.merge" || :)
if [ -z "$remote" ]; then
    remote=$(git remote)
    case $remote in
        *'
'*)
            git config --get remote.origin.url >/dev/null || [ -z "$push" ] ||
                stop 1 'There are several remotes. To choose one for this branch:' \
                    "  git push --set-upstream REMOTE $branch"
            remote=origin
            ;;
    esac
fi
[ -n "$ref" ] || ref=refs/heads/$branch
there="$remote, branch ${ref#refs/heads/}"

list_changes() {
    git -c core.quotePath=false status --porcelain --untracked-files=all -- thoughts
}

commit() {
    git add --all -- thoughts ||
        stop 1 'git did not take in what changed, for the reason above.'
    if git diff --cached --quiet -- thoughts; then
        say 'Nothing has changed under thoughts/.'
        return
    fi
    list_changes
    if [ -z "$has_message" ]; then
        message="Update thoughts: $(date '+%Y-%m-%d %H:%M:%S')"
        if [ -n "$has_terminal" ]; then
            printf 'Message [%s]: ' "$message"
            answer=
            IFS= read -r answer || :
            case $answer in
                *[![:space:]]*) message=$answer ;;
            esac
        fi
    fi
    message_file=$git_folder/SYNC_THOUGHTS_MESSAGE
    printf '%s\n' "$message" >"$message_file"
    committed=yes
    git commit --quiet --cleanup=whitespace --file="$message_file" -- thoughts || committed=
    rm -f -- "$message_file"
    [ -n "$committed" ] || stop 1 'git did not commit, for the reason above. Nothing is lost.'
    say 'Committed.'
}

# Sets theirs to the commit that the remote has, or to nothing where the branch is new there.
merge_theirs() {
    theirs=
    found=0
    git ls-remote --exit-code "$remote" "$ref" >/dev/null || found=$?
    case $found in
        0) ;;
        2) return ;;
        *)
            stop 1 "$remote cannot be reached, for the reason above." \
                'What you wrote is committed here. Run this again later.'
            ;;
    esac
    git fetch --quiet --no-tags "$remote" "$ref" ||
        stop 1 "Nothing could be fetched from $there." \
            'What you wrote is committed here. Run this again later.'
    theirs=$(git rev-parse --verify --quiet FETCH_HEAD)
    if git merge-base --is-ancestor "$theirs" HEAD; then
        return
    fi
    git merge-base "$theirs" HEAD >/dev/null ||
        stop 1 "$there has a history of its own, so nothing was merged or pushed." \
            'If both are to become one:' \
            "  git pull --no-rebase --allow-unrelated-histories $remote ${ref#refs/heads/}"
    if git merge --quiet --ff --no-edit -m 'Merge the thoughts of others' "$theirs" >/dev/null; then
        say "Merged what is new on $there."
        return
    fi
    clashes=$(git -c core.quotePath=false diff --name-only --diff-filter=U)
    if [ -e "$git_folder/MERGE_HEAD" ]; then
        git merge --abort || stop 1 'The merge was not taken back. git status says how to go on.'
    fi
    if [ -z "$clashes" ]; then
        stop 1 "git could not merge what is new on $there, for the reason above." \
            'What you wrote is committed here, and nothing was pushed.' \
            'If it is about files elsewhere: commit them, or unstage them with git reset.' \
            'Then run this again.'
    fi
    stop 3 'Others changed the same lines as you, in:' "$clashes" '' \
        "Nothing is lost, nothing was pushed: yours is committed here, theirs is on $there." \
        'To bring the two together:' \
        "  git pull --no-rebase $remote ${ref#refs/heads/}" \
        '  (edit the files above: keep what is right, remove the marks)' \
        '  git add thoughts' \
        '  git commit --no-edit' \
        'Then run this again.'
}

# Fails where others have pushed in between; stops where the remote says no.
push_ours() {
    refspec=refs/heads/$branch:$ref
    if report=$(git push --quiet --porcelain --set-upstream "$remote" "$refspec"); then
        return 0
    fi
    if printf '%s\n' "$report" |
        grep -Eq '^!.*(\[rejected\]|\[remote rejected\] \(.*(lock|failed to update ref))'; then
        return 1
    fi
    stop 1 "$report" "$remote did not take the push." \
        'What you wrote is committed here. Run this again when the reason above is gone.'
}

if [ -n "$dry_run" ]; then
    changes=$(list_changes)
    if [ -n "$changes" ]; then
        say 'Would commit:' "$changes"
    else
        say 'Nothing has changed under thoughts/.'
    fi
    if [ -z "$remote" ]; then
        say 'There is no remote to share with.'
    elif git rev-parse --verify --quiet '@{upstream}' >/dev/null; then
        say "Commits not pushed to $there yet: $(git rev-list --count '@{upstream}..HEAD')."
    else
        say "Would push the branch for the first time to $there."
    fi
    exit 0
fi

commit
if [ -z "$push" ]; then
    say 'Nothing was pushed, as asked.'
    exit 0
fi
if ! git rev-parse --verify --quiet HEAD >/dev/null; then
    say 'There is no commit to share yet.'
    exit 0
fi
if [ -z "$remote" ]; then
    say 'There is no remote to share with. To add one: git remote add origin ADDRESS'
    exit 0
fi

attempt=1
while :; do
    merge_theirs
    if [ "$theirs" = "$(git rev-parse --verify --quiet HEAD)" ]; then
        say "Everything here is on $there."
        exit 0
    fi
    if push_ours; then
        say "Pushed to $there."
        exit 0
    fi
    [ "$attempt" -lt 5 ] ||
        stop 1 'Others were quicker five times in a row. What you wrote is committed here.' \
            'Run this again.'
    attempt=$((attempt + 1))
    say "Others were quicker. Trying again, $attempt of 5."
    sleep 1
done
