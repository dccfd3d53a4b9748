"""The view's server: a process of its own, which cuts and scales pictures and speaks with those who look.

`python -m onscope.view.server` is started by View; the only part of onscope that imports starlette and uvicorn.
"""
