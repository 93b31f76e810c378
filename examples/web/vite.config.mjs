export default { clearScreen: false, server: { proxy: { "/api": process.env.API_URL } } };
