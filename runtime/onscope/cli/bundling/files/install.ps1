# Checks this bundle and installs it, without internet: powershell -ExecutionPolicy Bypass -File install.ps1 [FOLDER]
$python = if ($env:PYTHON) { @($env:PYTHON) } else { @("py", "-3") }
$program = $python[0]
$first = @($python | Select-Object -Skip 1)
& $program @first -I "$PSScriptRoot\install.py" @args
exit $LASTEXITCODE
