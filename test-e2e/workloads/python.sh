# A wheel, made and installed into a virtual environment with no network.
python3 - <<'END'
import zipfile
files = {
    "sample/__init__.py": "import sys\ndef main():\n    print('sample', sys.prefix, sys.argv[1:])\n",
    "sample-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n",
    "sample-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: none\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "sample-1.0.dist-info/entry_points.txt": "[console_scripts]\nsample = sample:main\n",
}
record = "sample-1.0.dist-info/RECORD"
with zipfile.ZipFile("sample-1.0-py3-none-any.whl", "w") as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
    wheel.writestr(record, "".join(f"{name},,\n" for name in [*files, record]))
END
python3 -m venv environment
environment/bin/pip install --no-index --disable-pip-version-check --root-user-action=ignore sample-1.0-py3-none-any.whl
environment/bin/sample a 'b c'
environment/bin/pip list --format=freeze
environment/bin/python - <<'END'
import concurrent.futures, multiprocessing, os, pathlib, shutil, subprocess, sys, tempfile, threading
print(sys.executable, os.path.realpath(sys.executable) == os.path.realpath("/usr/bin/python3"))
with multiprocessing.Pool(4) as pool:
    print(sum(pool.map(os.path.getsize, ["/etc/passwd", "/etc/group"] * 50)) > 0)
with concurrent.futures.ThreadPoolExecutor(8) as threads:
    print(set(threads.map(lambda i: subprocess.run(["sh", "-c", f"exit {i % 3}"]).returncode, range(60))))
with tempfile.TemporaryDirectory() as directory:
    shutil.copytree("/etc/apt", directory + "/copy", symlinks=True)
    print(sorted(str(path.relative_to(directory)) for path in pathlib.Path(directory).rglob("*"))[:5])
    shutil.rmtree(directory + "/copy")
try:
    os.execv("/no/such/program", ["x"])
except OSError as error:
    print(error)
END
