#!/bin/sh
# Headstart Studio: opens the page in your browser. Save it as headstart-studio.command on macOS.
# The first start makes an environment of its own in the folder below, once; later starts need no network.
set -u
python=''
folder="${HEADSTART_STUDIO:-$HOME/.headstart-studio}"
here=$(cd -- "$(dirname -- "$0")" && pwd)

case "${LC_ALL:-${LC_MESSAGES:-${LANG:-en}}}" in
fr*)
	first="Première fois : Headstart s'installe dans $folder (2,5 Go, quelques minutes, internet nécessaire une fois). Vos données ne quittent pas cet ordinateur."
	no_python="Il faut Python 3.11 ou plus récent : https://www.python.org/downloads/ . Installez-le, puis recommencez."
	failed="L'installation n'a pas abouti. Vérifiez la connexion et la place sur le disque, puis recommencez : elle reprend."
	close="Appuyez sur Entrée pour fermer."
	;;
es*)
	first="Primera vez: Headstart se instala en $folder (2,5 GB, unos minutos, internet una sola vez). Sus datos no salen de este ordenador."
	no_python="Hace falta Python 3.11 o más nuevo: https://www.python.org/downloads/ . Instálelo y vuelva a empezar."
	failed="La instalación no terminó. Compruebe la conexión y el espacio en el disco y vuelva a empezar: continúa donde quedó."
	close="Pulse Intro para cerrar."
	;;
sw*)
	first="Mara ya kwanza: Headstart inasakinishwa katika $folder (GB 2.5, dakika chache, intaneti mara moja tu). Data yako haiondoki kwenye kompyuta hii."
	no_python="Python 3.11 au mpya zaidi inahitajika: https://www.python.org/downloads/ . Isakinishe, kisha anza tena."
	failed="Usakinishaji haukukamilika. Angalia mtandao na nafasi kwenye diski, kisha anza tena: utaendelea ulipoishia."
	close="Bonyeza Enter kufunga."
	;;
ar*)
	first="أول مرة: يُثبَّت Headstart في $folder (2.5 غيغابايت، بضع دقائق، الإنترنت مرة واحدة). بياناتك لا تغادر هذا الحاسوب."
	no_python="يلزم Python 3.11 أو أحدث: https://www.python.org/downloads/ . ثبّته ثم ابدأ من جديد."
	failed="لم يكتمل التثبيت. تحقق من الاتصال ومن مساحة القرص ثم ابدأ من جديد: يتابع من حيث توقف."
	close="اضغط Enter للإغلاق."
	;;
*)
	first="First start: Headstart installs itself into $folder (2.5 GB, some minutes, internet this once). Your data does not leave this computer."
	no_python="Python 3.11 or newer is needed: https://www.python.org/downloads/ . Install it, then start again."
	failed="The installation did not finish. Check the connection and the room on the disk, then start again: it goes on where it stopped."
	close="Press Enter to close."
	;;
esac

stop() {
	printf '\n%s\n%s ' "$1" "$close" >&2
	if [ -t 0 ]; then read -r _; fi
	exit 1
}

make_environment() {
	uv=$(command -v uv || true)
	if [ -n "$uv" ]; then
		"$uv" venv --quiet --allow-existing --python 3.12 "$folder" || stop "$failed"
	else
		base=''
		for candidate in python3.13 python3.12 python3.11 python3; do
			if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
				base=$candidate
				break
			fi
		done
		[ -n "$base" ] || stop "$no_python"
		"$base" -m venv "$folder" || stop "$failed"
		# uv knows how to leave out the libraries for graphics cards: several GB.
		if [ ! -d "$here/wheels" ] && "$python" -m pip install --quiet --disable-pip-version-check uv; then
			uv="$folder/bin/uv"
		fi
	fi
}

install_headstart() {
	package='headstart[adapt,studio]'
	for wheel in "$here"/headstart-*.whl; do
		if [ -f "$wheel" ]; then package="${wheel}[adapt,studio]"; fi
	done
	if [ -d "$here/wheels" ]; then # From a stick, without a network.
		set -- --no-index --find-links "$here/wheels" "$package"
		if [ -n "$uv" ]; then "$uv" pip install --python "$python" "$@"; else "$python" -m pip install "$@"; fi
	elif [ -n "$uv" ]; then
		"$uv" pip install --python "$python" --torch-backend cpu "$package" || "$uv" pip install --python "$python" "$package"
	else
		"$python" -m pip install --disable-pip-version-check "$package"
	fi
}

if [ -z "$python" ]; then
	python="$folder/bin/python"
	if [ ! -f "$folder/.ready" ]; then
		printf '%s\n' "$first"
		make_environment
		install_headstart || stop "$failed"
		: >"$folder/.ready"
	fi
fi
"$python" -m headstart studio "$@" || stop "headstart doctor: $python -m headstart doctor"
