const { greeting, visits } = await (await fetch("/api/visits")).json();
document.querySelector("#visits").textContent = `${greeting}. You are visitor ${visits}.`;
