# Commits what changed under thoughts/, merges what others have pushed, and pushes.
#
# - Only thoughts/ is committed. What is changed or staged elsewhere stays as it is.
# - It goes by the branch that is checked out and that branch's upstream.
# - It merges and does not rebase: a merge leaves files alone that are being worked on elsewhere,
#   and one that fails is taken back whole.
# - The message reaches git in a file: Windows PowerShell loses quotes on a command line.
# - There is no param block, so that -m and --message mean here what they mean in sync-thoughts.sh.
# - sync-thoughts.sh does the same with the same git commands. Change one and you change both.
# - Plain ASCII: Windows PowerShell reads a script without a mark in the system's code page.

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$usage = @'
Usage: sync-thoughts.ps1 [-m MESSAGE] [--no-push | --dry-run]

Commits what changed under thoughts/, merges what others have pushed, and pushes.

  -m, --message MESSAGE  What the commit says.
  --no-push              Commit only, without asking the remote.
  -n, --dry-run          Say what would be done, and do nothing.
  -h, --help             Show this.

-Message, -NoPush, -DryRun and -Help are understood, too. Without a message it asks for one in a
terminal, and takes the date elsewhere.

Exit codes: 0 done or nothing to do, 1 something is in the way, 2 wrong usage,
3 others changed the same lines.
'@

function Write-Lines([string[]]$Lines) {
    foreach ($line in $Lines) { [Console]::Out.WriteLine($line) }
}

# Ends the script, from inside a function too.
function Stop-Sync([int]$Code, [string[]]$Lines) {
    foreach ($line in $Lines) { [Console]::Error.WriteLine($line) }
    exit $Code
}

function Stop-Misused([string]$What) {
    Stop-Sync 2 @($What, 'To see how it is used: sync-thoughts.ps1 --help')
}

$message = $null
$push = $true
$dryRun = $false
$given = @($args | ForEach-Object { "$_" })
for ($i = 0; $i -lt $given.Count; $i++) {
    $argument = $given[$i]
    if ($argument -in '-m', '--message', '-Message') {
        $i++
        if ($i -ge $given.Count) { Stop-Misused "$argument needs a message." }
        $message = $given[$i]
    }
    elseif ($argument.StartsWith('--message=')) { $message = $argument.Substring(10) }
    elseif ($argument -in '--no-push', '-NoPush') { $push = $false }
    elseif ($argument -in '-n', '--dry-run', '-DryRun') { $dryRun = $true }
    elseif ($argument -in '-h', '--help', '-Help') {
        Write-Lines $usage
        exit 0
    }
    else { Stop-Misused "Not understood: $argument" }
}
if ($null -ne $message -and $message.Trim() -eq '') { Stop-Misused 'The message is empty.' }

$hasTerminal = -not ([Console]::IsInputRedirected -or [Console]::IsOutputRedirected)

function Get-Changes {
    & git -c 'core.quotePath=false' status --porcelain --untracked-files=all -- thoughts
}

function Save-Commit([string]$Message) {
    & git add --all -- thoughts
    if ($LASTEXITCODE -ne 0) {
        Stop-Sync 1 'git did not take in what changed, for the reason above.'
    }
    & git diff --cached --quiet -- thoughts
    if ($LASTEXITCODE -eq 0) {
        Write-Lines 'Nothing has changed under thoughts/.'
        return
    }
    Write-Lines (Get-Changes)
    if (-not $Message) {
        $Message = 'Update thoughts: ' + (Get-Date -Format 'yyyy-MM-dd HH:mm:ss')
        if ($hasTerminal) {
            $answer = Read-Host "Message [$Message]"
            if ("$answer".Trim() -ne '') { $Message = $answer }
        }
    }
    $messageFile = Join-Path $gitFolder 'SYNC_THOUGHTS_MESSAGE'
    [IO.File]::WriteAllText($messageFile, "$Message`n", (New-Object Text.UTF8Encoding $false))
    & git commit --quiet --cleanup=whitespace "--file=$messageFile" -- thoughts | Out-Host
    $committed = $LASTEXITCODE -eq 0
    Remove-Item -LiteralPath $messageFile
    if (-not $committed) {
        Stop-Sync 1 'git did not commit, for the reason above. Nothing is lost.'
    }
    Write-Lines 'Committed.'
}

# The commit that the remote has, merged, or nothing where the branch is new there.
function Merge-Theirs {
    & git ls-remote --exit-code $remote $ref | Out-Null
    if ($LASTEXITCODE -eq 2) { return '' }
    if ($LASTEXITCODE -ne 0) {
        Stop-Sync 1 @(
            "$remote cannot be reached, for the reason above.",
            'What you wrote is committed here. Run this again later.'
        )
    }
    & git fetch --quiet --no-tags $remote $ref | Out-Host
    if ($LASTEXITCODE -ne 0) {
        Stop-Sync 1 @(
            "Nothing could be fetched from $there.",
            'What you wrote is committed here. Run this again later.'
        )
    }
    $theirs = & git rev-parse --verify --quiet FETCH_HEAD
    & git merge-base --is-ancestor $theirs HEAD
    if ($LASTEXITCODE -eq 0) { return $theirs }
    & git merge-base $theirs HEAD | Out-Null
    if ($LASTEXITCODE -ne 0) {
        Stop-Sync 1 @(
            "$there has a history of its own, so nothing was merged or pushed.",
            'If both are to become one:',
            "  git pull --no-rebase --allow-unrelated-histories $remote $theirBranch"
        )
    }
    & git merge --quiet --ff --no-edit -m 'Merge the thoughts of others' $theirs | Out-Null
    if ($LASTEXITCODE -eq 0) {
        Write-Lines "Merged what is new on $there."
        return $theirs
    }
    $clashes = @(& git -c 'core.quotePath=false' diff --name-only --diff-filter=U)
    if (Test-Path -LiteralPath (Join-Path $gitFolder 'MERGE_HEAD')) {
        & git merge --abort
        if ($LASTEXITCODE -ne 0) {
            Stop-Sync 1 'The merge was not taken back. git status says how to go on.'
        }
    }
    if ($clashes.Count -eq 0) {
        Stop-Sync 1 @(
            "git could not merge what is new on $there, for the reason above.",
            'What you wrote is committed here, and nothing was pushed.',
            'If it is about files elsewhere: commit them, or unstage them with git reset.',
            'Then run this again.'
        )
    }
    Stop-Sync 3 (@('Others changed the same lines as you, in:') + $clashes + @(
            '',
            "Nothing is lost, nothing was pushed: yours is committed here, theirs is on $there.",
            'To bring the two together:',
            "  git pull --no-rebase $remote $theirBranch",
            '  (edit the files above: keep what is right, remove the marks)',
            '  git add thoughts',
            '  git commit --no-edit',
            'Then run this again.'
        ))
}

# False where others have pushed in between; stops where the remote says no.
function Push-Ours {
    $refspec = "refs/heads/${branch}:$ref"
    $report = @(& git push --quiet --porcelain --set-upstream $remote $refspec)
    if ($LASTEXITCODE -eq 0) { return $true }
    $race = '^!.*(\[rejected\]|\[remote rejected\] \(.*(lock|failed to update ref))'
    if (@($report -cmatch $race).Count -gt 0) { return $false }
    Stop-Sync 1 ($report + @(
            "$remote did not take the push.",
            'What you wrote is committed here. Run this again when the reason above is gone.'
        ))
}

$consoleEncoding = [Console]::OutputEncoding
$prompt = $env:GIT_TERMINAL_PROMPT
Push-Location -LiteralPath $PSScriptRoot
try {
    # git writes the names of files in UTF-8. Without a console there is nothing to set.
    try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false } catch { }
    # Where nobody is there to answer, git is to fail and not to wait.
    if (-not $hasTerminal) { $env:GIT_TERMINAL_PROMPT = '0' }

    if (-not (Get-Command git -CommandType Application -ErrorAction SilentlyContinue)) {
        Stop-Sync 1 'There is no git here. Install it, and try again.'
    }
    if (-not (Test-Path -LiteralPath 'thoughts' -PathType Container)) {
        Stop-Sync 1 'There is no folder thoughts beside this script.'
    }
    $gitFolder = & git rev-parse --absolute-git-dir
    if ($LASTEXITCODE -ne 0) {
        Stop-Sync 1 'This is not a git repository. To make it one: git init'
    }
    $branch = & git symbolic-ref --quiet --short HEAD
    if ($LASTEXITCODE -ne 0) {
        Stop-Sync 1 'No branch is checked out, so nothing was done. To go to one: git switch main'
    }
    $marks = 'MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply'
    foreach ($unfinished in $marks) {
        if (Test-Path -LiteralPath (Join-Path $gitFolder $unfinished)) {
            Stop-Sync 1 @(
                'A merge or rebase is not finished here. git status says how to go on or give up.',
                'Then run this again.'
            )
        }
    }

    $remote = & git config --get "branch.$branch.remote"
    $ref = & git config --get "branch.$branch.merge"
    if (-not $remote) {
        $remotes = @(& git remote)
        $remote = "$remotes"
        if ($remotes.Count -gt 1) {
            & git config --get remote.origin.url | Out-Null
            if ($LASTEXITCODE -ne 0 -and $push) {
                Stop-Sync 1 @(
                    'There are several remotes. To choose one for this branch:',
                    "  git push --set-upstream REMOTE $branch"
                )
            }
            $remote = 'origin'
        }
    }
    if (-not $ref) { $ref = "refs/heads/$branch" }
    $theirBranch = $ref -creplace '^refs/heads/', ''
    $there = "$remote, branch $theirBranch"

    if ($dryRun) {
        $changes = @(Get-Changes)
        if ($changes.Count -gt 0) { Write-Lines (@('Would commit:') + $changes) }
        else { Write-Lines 'Nothing has changed under thoughts/.' }
        if (-not $remote) { Write-Lines 'There is no remote to share with.'; exit 0 }
        & git rev-parse --verify --quiet '@{upstream}' | Out-Null
        if ($LASTEXITCODE -eq 0) {
            $count = & git rev-list --count '@{upstream}..HEAD'
            Write-Lines "Commits not pushed to $there yet: $count."
        }
        else { Write-Lines "Would push the branch for the first time to $there." }
        exit 0
    }

    Save-Commit $message
    if (-not $push) {
        Write-Lines 'Nothing was pushed, as asked.'
        exit 0
    }
    & git rev-parse --verify --quiet HEAD | Out-Null
    if ($LASTEXITCODE -ne 0) {
        Write-Lines 'There is no commit to share yet.'
        exit 0
    }
    if (-not $remote) {
        Write-Lines 'There is no remote to share with. To add one: git remote add origin ADDRESS'
        exit 0
    }

    for ($attempt = 1; ; $attempt++) {
        $theirs = Merge-Theirs
        if ($theirs -eq (& git rev-parse --verify --quiet HEAD)) {
            Write-Lines "Everything here is on $there."
            exit 0
        }
        if (Push-Ours) {
            Write-Lines "Pushed to $there."
            exit 0
        }
        if ($attempt -ge 5) {
            Stop-Sync 1 @(
                'Others were quicker five times in a row. What you wrote is committed here.',
                'Run this again.'
            )
        }
        Write-Lines "Others were quicker. Trying again, $($attempt + 1) of 5."
        Start-Sleep -Seconds 1
    }
}
finally {
    Pop-Location
    try { [Console]::OutputEncoding = $consoleEncoding } catch { }
    $env:GIT_TERMINAL_PROMPT = $prompt
}
