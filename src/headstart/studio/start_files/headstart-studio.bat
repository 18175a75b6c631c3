@echo off
rem Headstart Studio: a double click opens the page in your browser.
rem The first start makes an environment of its own in the folder below, once; later starts need no network.
setlocal
chcp 65001 >nul
set "PYTHON="
set "FOLDER=%LOCALAPPDATA%\HeadstartStudio"
if defined HEADSTART_STUDIO set "FOLDER=%HEADSTART_STUDIO%"
set "HERE=%~dp0"
if defined PYTHON goto open
set "PYTHON=%FOLDER%\Scripts\python.exe"
if exist "%FOLDER%\.ready" goto open

echo First start: Headstart installs itself into %FOLDER% - 2.5 GB, some minutes, internet this once. Your data does not leave this computer.
echo Premiere fois : Headstart s'installe, quelques minutes. Vos donnees ne quittent pas cet ordinateur.
echo Primera vez: Headstart se instala, unos minutos. Sus datos no salen de este ordenador.
echo Mara ya kwanza: Headstart inasakinishwa, dakika chache. Data yako haiondoki kwenye kompyuta hii.
echo أول مرة: يُثبَّت Headstart، بضع دقائق. بياناتك لا تغادر هذا الحاسوب.

set "UV="
where uv >nul 2>nul
if errorlevel 1 goto without_uv
set "UV=uv"
uv venv --quiet --allow-existing --python 3.12 "%FOLDER%"
if errorlevel 1 goto failed
goto install

:without_uv
set "BASE="
for %%V in (3.13 3.12 3.11) do if not defined BASE py -%%V -c "import venv, ensurepip" >nul 2>nul && set "BASE=py -%%V"
if not defined BASE python -c "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))" >nul 2>nul && set "BASE=python"
if not defined BASE goto no_python
%BASE% -m venv "%FOLDER%"
if errorlevel 1 goto failed

:install
set "PACKAGE=headstart[adapt,studio]"
for %%F in ("%HERE%headstart-*.whl") do set "PACKAGE=%%~fF[adapt,studio]"
if exist "%HERE%wheels\" goto from_stick
if defined UV goto with_uv
"%PYTHON%" -m pip install --disable-pip-version-check "%PACKAGE%"
if errorlevel 1 goto failed
goto ready

:with_uv
uv pip install --python "%PYTHON%" --torch-backend cpu "%PACKAGE%"
if errorlevel 1 uv pip install --python "%PYTHON%" "%PACKAGE%"
if errorlevel 1 goto failed
goto ready

:from_stick
if defined UV goto from_stick_with_uv
"%PYTHON%" -m pip install --no-index --find-links "%HERE%wheels" "%PACKAGE%"
if errorlevel 1 goto failed
goto ready

:from_stick_with_uv
uv pip install --python "%PYTHON%" --no-index --find-links "%HERE%wheels" "%PACKAGE%"
if errorlevel 1 goto failed

:ready
type nul > "%FOLDER%\.ready"

:open
"%PYTHON%" -m headstart studio %*
if errorlevel 1 goto stopped
exit /b 0

:no_python
echo Python 3.11 or newer is needed: https://www.python.org/downloads/ - install it (tick "Add python.exe to PATH"), then start again.
pause
exit /b 1

:failed
echo The installation did not finish. Check the connection and the room on the disk, then start again: it goes on where it stopped.
pause
exit /b 1

:stopped
echo For what is wrong with this machine: "%PYTHON%" -m headstart doctor
pause
exit /b 1
