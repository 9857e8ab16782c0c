@echo off
rem Runs sync-thoughts.ps1 beside this file with the same arguments; all the work is done there.
setlocal DisableDelayedExpansion
"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe" -NoLogo -NoProfile -ExecutionPolicy Bypass -File "%~dp0sync-thoughts.ps1" %*
exit /b %ERRORLEVEL%
